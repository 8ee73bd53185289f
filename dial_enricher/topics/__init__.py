"""Topic models: what one can do (`model`), which one is meant (`find`), and the two ways to run one.

`native` runs the folder that holds a BERTopic model and its static token embedding with a few libraries and
little memory; `stock` runs whatever else the BERTopic package can load.

For people: `assignment` tells why a text has its topic, `evaluation` how often a model is right, and `map`
draws it.
"""
