"""The viewer of images at /viewer/: files of a build (web/viewer), served as they are. No data of patients."""
