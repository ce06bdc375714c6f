"""Autoencoders for drawings, as Keras models. Nothing is here yet; fastdraw comes first."""
