"""Before a route is reached, and until its answer is out: gate, audit trail, turns, connections, clients that leave."""
