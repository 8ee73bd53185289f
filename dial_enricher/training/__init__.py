"""How a topic model is made: the recipe of `dial-enricher topics train`. Running one needs none of it."""
