"""Databases that lived at earlier releases, which every later release must be able to upgrade."""
