"""What users call: boards, metrics and places of a queryset, and the managers that declare boards."""
