"""The kernels: right by the gate, keepers of the contract, and described by their fields."""
