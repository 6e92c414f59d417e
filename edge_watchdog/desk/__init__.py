"""What the LAN sees: the desk page and the owner's page.  It shows views and decides nothing."""
