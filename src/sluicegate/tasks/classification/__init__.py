"""What classifiers share, whatever they classify: labels, folds, calibration, and the report."""
