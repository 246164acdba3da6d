"""DICOMweb (PS3.18) over all archives and over each: routes, media types, errors and streaming; what may be seen the
schema says, whose operations these are."""
