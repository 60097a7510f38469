"""What stands behind a text while it is edited: its lines, rows, marks and undo steps."""
