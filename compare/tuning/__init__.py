"""Fine-tune an adapter on rows of data: checked, trained, sampled while it learns, evaluated after."""
