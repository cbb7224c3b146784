from hypothesis import settings

# A busy machine is no reason to fail: the time of a single example says nothing here.
settings.register_profile("hw4", deadline=None)
settings.load_profile("hw4")
