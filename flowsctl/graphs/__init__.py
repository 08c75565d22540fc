"""Pictures of what is declared: objects and what needs what."""
