"""For the teacher: the questions and what they are worth, the version for students, the score."""
