"""The guided tour, and the demo that does it by itself."""
