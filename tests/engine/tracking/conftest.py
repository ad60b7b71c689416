"""The small network with random weights, made so that what it is told changes what it answers."""

import pytest
import torch

from efficienttam.model.build import build_model
from efficienttam.model.config import MODELS


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    model = build_model(MODELS["efficienttam_demo"])
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if key.endswith("gamma"):
                parameter.fill_(0.5)
            elif parameter.dim() > 1:
                parameter.mul_(3)
        model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(3)
    return model
