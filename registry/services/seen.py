"""What a caller says it has seen of something, so that a change unseen by it is not written over."""


class Unseen:
    """The caller does not say what it has seen, so that the last one who writes wins."""


UNSEEN = Unseen()
