"""The paper's tables with the measured runs next to them."""
