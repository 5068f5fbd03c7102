"""The paper's layers, one technique a file; they work in any Keras 3 model."""
