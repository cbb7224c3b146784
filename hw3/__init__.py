"""Homework 3: deep features of MNIST, multinomial logistic regression, ROC curves."""
