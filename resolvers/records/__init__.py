"""Studies, series and instances: their types, connections, dataloaders, attributes and copies."""
