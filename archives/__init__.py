"""All DICOMweb: one ArchiveClient protocol and its DICOMweb, Orthanc and folder clients. No SQL, no GraphQL."""
