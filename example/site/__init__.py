"""The site that ``make serve`` opens: pages of the library's boards and counters."""
