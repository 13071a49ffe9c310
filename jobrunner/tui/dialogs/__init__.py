"""What stands before a screen and asks: confirmations, forms, the palette, menus, help."""
