"""``aetherv_vm``: a virtual machine on Hyper-V. ``resource.py`` is its entrance."""
