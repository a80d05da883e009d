"""Machine-learning parts that several papers share."""
