"""Sums that are kept by inserting only: a column, and the rows that wait for it in a side table.

For every key, at every moment and in every snapshot, the column and the waiting rows add up to the value.
A write inserts a row of what it adds; a merge makes one row of those of a key, in one statement; whoever
reads adds all to the column. A key may have rows without a target row: they wait for it, and a fold moves
them.
"""
