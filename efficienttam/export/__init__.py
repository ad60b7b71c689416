"""The network for other runtimes: TorchScript, torch.export and ONNX, each checked against the network."""
