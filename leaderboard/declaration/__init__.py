"""What users write: boards, a member's counting entry, cut-offs, windows; and whether it fits a model."""
