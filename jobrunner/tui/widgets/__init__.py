"""What screens are made of. Each is given values to show and announces what a person wants; none asks for anything."""
