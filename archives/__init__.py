"""All DICOMweb: one ArchiveClient protocol; DICOMweb, Orthanc and folder clients. No SQL, no GraphQL."""
