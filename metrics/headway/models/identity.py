"""Who counts as one person: the section `identity` of product.yml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictInt, StrictStr

from headway.models.yaml_file import Definition

IdentityMode = Literal["none", "latest_user", "components", "strict"]


class Identity(Definition):
    """How users and devices become people.

    Attributes:
        mode: ``none``: every user and every device is a person. ``latest_user``: a device belongs to the user it was
            last seen with. ``components``: users of one device are one person too. ``strict``: only pairs of one
            device and one user are joined.
        max_users_per_device: A device with more users is shared: it belongs to nobody and joins nobody.
        max_users_per_person: Users that would be more than this in one person are not joined with each other.
        logout: Events after which the device no longer belongs to who used it.

    Examples:
        >>> Identity().mode, Identity().max_users_per_device
        ('latest_user', 3)
    """

    mode: IdentityMode = "latest_user"
    max_users_per_device: StrictInt = Field(default=3, ge=1, le=1000)
    max_users_per_person: StrictInt = Field(default=10, ge=1, le=100_000)
    logout: tuple[StrictStr, ...] = ()
