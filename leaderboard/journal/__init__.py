"""Sums that are kept by inserting only: a column, the rows that wait for it in a side table, and the fold.

For every key, at every moment and in every snapshot, the column and the waiting rows add up to the value.
A write inserts a row of what it adds; a fold takes the rows of a key away and adds their sum to the column,
in one statement; whoever reads adds both. A key may have rows without a target row: they wait for it.
"""
