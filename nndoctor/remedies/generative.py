"""Remedies for generative and self-supervised training, and for mixtures of experts."""

from __future__ import annotations

from nndoctor.core.finding import Remedy

TTUR = "Heusel et al., Two Time-Scale Update Rule, 2017, arXiv:1706.08500"
GANS = "Salimans et al., Improved Techniques for Training GANs, 2016, arXiv:1606.03498"
SWITCH = "Fedus, Zoph and Shazeer, Switch Transformers, 2021, arXiv:2101.03961"

CATALOGUE = (
    Remedy(
        "weaken-the-discriminator",
        "weaken the discriminator: lower lr, fewer updates, or input noise",
        "the generator learns from its errors, so it must make some",
        GANS,
    ),
    Remedy(
        "spectral-normalization",
        "use spectral normalization or a gradient penalty (R1, weight 1–10)",
        "a discriminator of limited slope passes a gradient even where it wins",
        "Miyato et al., 2018, arXiv:1802.05957; Mescheder et al., 2018, arXiv:1801.04406",
    ),
    Remedy(
        "label-smoothing-for-gans",
        "Smooth the discriminator's real labels to 0.9",
        "it then cannot become certain",
        GANS,
    ),
    Remedy(
        "non-saturating-loss",
        "use the non-saturating, hinge or Wasserstein generator loss",
        "log(1 - D(G(z))) is flat where the discriminator wins",
        "Goodfellow et al., Generative Adversarial Networks, 2014, arXiv:1406.2661",
    ),
    Remedy(
        "two-time-scales",
        "use two learning rates: 4e-4 (discriminator), 1e-4 (generator)",
        "with Adam betas (0, 0.9), the two approach a local equilibrium",
        TTUR,
    ),
    Remedy(
        "minibatch-discrimination",
        "show the discriminator the batch's standard deviation",
        "it can then reject batches of samples that are all alike",
        GANS,
    ),
    Remedy(
        "lower-kl-weight",
        "Lower the weight of the KL term (beta) to 0.1-0.5",
        "codes are used once they pay for their cost",
        "Higgins et al., beta-VAE, 2017",
    ),
    Remedy(
        "kl-warm-up",
        "warm up the KL weight from 0 over the first 10–30% of the steps",
        "the decoder learns to use the codes before they cost anything",
        "Bowman et al., 2016, arXiv:1511.06349; Fu et al., 2019, arXiv:1903.10145",
    ),
    Remedy(
        "free-bits",
        "use free bits: do not penalize the first 0.1–0.5 nats per unit",
        "a unit then has no reason to go to zero",
        "Kingma et al., 2016, arXiv:1606.04934",
    ),
    Remedy(
        "weaker-decoder",
        "Use a weaker decoder, or drop some of its own inputs (word dropout)",
        "it then needs the codes",
        "Bowman et al., 2016, arXiv:1511.06349",
    ),
    Remedy(
        "restart-dead-codes",
        "replace unused codes by encoder outputs of the current batch",
        "an unused code gets no gradient and would stay where it is",
        "Dhariwal et al., Jukebox, 2020, arXiv:2005.00341",
    ),
    Remedy(
        "moving-average-codes",
        "update the codes by moving averages of encoder outputs (decay 0.99)",
        "the codes follow the encoder faster than by gradient",
        "van den Oord et al., 2017, arXiv:1711.00937, appendix A",
    ),
    Remedy(
        "normalized-codes",
        "look codes up in 8 to 32 dimensions, with both sides normalized to length 1",
        "all codes are then about as near, and more of them are used",
        "Yu et al., Vector-quantized Image Modeling with Improved VQGAN, 2021, arXiv:2110.04627",
    ),
    Remedy(
        "start-codes-from-data",
        "initialize the codebook by k-means on the first encoder outputs",
        "codes that start far from all outputs are never chosen",
        "Łańcucki et al., 2020, arXiv:2005.08520",
    ),
    Remedy(
        "weigh-the-part",
        "give this part a weight in the loss, or bound it (clamp a log variance)",
        "a part that no gradient holds back grows as long as the others do not mind",
        "Kingma and Welling, Auto-Encoding Variational Bayes, 2014, arXiv:1312.6114",
    ),
    Remedy(
        "balance-the-parts",
        "sum the reconstruction loss over pixels if the KL is summed too",
        "a mean over 784 pixels makes the KL term 784 times too heavy",
        "Kingma and Welling, Auto-Encoding Variational Bayes, 2014, arXiv:1312.6114",
    ),
    Remedy(
        "stop-gradient",
        "stop the gradient on the target branch; use a momentum encoder",
        "without them a constant embedding is the best answer",
        "Chen and He, SimSiam, 2021, arXiv:2011.10566; Grill et al., BYOL, 2020, arXiv:2006.07733",
    ),
    Remedy(
        "variance-term",
        "add a variance term (VICReg), or use negatives (SimCLR, InfoNCE)",
        "they keep embeddings apart",
        "Bardes, Ponce and LeCun, VICReg, 2022, arXiv:2105.04906",
    ),
    Remedy(
        "load-balancing-loss",
        "Add a load-balancing loss with weight 0.01 over each batch",
        "it raises the scores of experts that get few tokens",
        SWITCH,
    ),
    Remedy(
        "router-z-loss",
        "add a router z-loss (weight 0.001) and run the router in float32",
        "large router scores round badly and settle too soon",
        "Zoph et al., ST-MoE, 2022, arXiv:2202.08906",
    ),
    Remedy(
        "noisy-router",
        "add noise to the router's scores, and start with small weights",
        "every expert then gets tokens until they differ",
        "Shazeer et al., 2017, arXiv:1701.06538",
    ),
    Remedy(
        "auxiliary-free-balancing",
        "Adjust a bias for each expert by its load (loss-free balancing)",
        "it balances without a second loss that disturbs the first",
        "Wang et al., Auxiliary-Loss-Free Load Balancing, 2024, arXiv:2408.15664",
    ),
    Remedy(
        "fixed-noise-validation",
        "log a validation loss with fixed noise and timesteps",
        "only the model then differs from one value to the next",
        "Nichol and Dhariwal, 2021, arXiv:2102.09672",
    ),
)
