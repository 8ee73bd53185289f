"""`python -m dial_enricher`."""

from dial_enricher.cli import main

if __name__ == "__main__":
    main(prog_name="dial-enricher")
