"""The index: SQL, derived, deletable. All SQL of the program is in this room."""
