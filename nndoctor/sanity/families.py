"""The rules of a check-up."""

# The rules that a check-up of a few steps can judge; the others need a whole training's log.
FAMILIES = ("NN301", "NN302", "NN4", "NN5", "NN6", "NN7", "NN8")
