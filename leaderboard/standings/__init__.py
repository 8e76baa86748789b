"""From a view and the metrics that it shows to one plan, and from the plan to one derived table."""
