"""x"""


def write_packages(prefix, folder, journal):
    return 0
