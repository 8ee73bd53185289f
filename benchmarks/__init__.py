"""What the program costs and how well it guesses, measured."""
