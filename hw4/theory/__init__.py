"""The theory questions: convolutions, the radial neuron, threshold neurons, and their figures."""
