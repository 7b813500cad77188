"""What a network costs: parameters, size, FLOPs, stored encoder maps, time and memory."""
