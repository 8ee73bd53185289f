"""How the topic model is made: the recipe of `dial-enricher topics train`. Running a model needs none of it."""
