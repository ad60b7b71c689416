"""The network: stateless modules, one file per box of the paper's figure. Knows no session and no file."""
