"""What the LAN sees: the desk page and the owner's dashboard.  It shows views and decides nothing."""
