"""Training under the paper's protocol: plain tensors and keywords in, a generator of validation points out."""
