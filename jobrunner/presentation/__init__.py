"""How values look: labels, colours, times, tables, JSON. Used by the command line and the dashboard; asks nobody."""
