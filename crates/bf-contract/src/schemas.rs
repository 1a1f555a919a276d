//! The JSON Schemas of the documents, in docs/schema: they are what the types say.

use std::path::Path;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use crate::{
    Capability, CapabilityType, Delivery, DeliveryType, FailureReport, FailureType, LedgerEntry,
    LedgerEntryType, LogSummary, LogSummaryType, Notification, NotificationType, ProcessEvent,
    ProcessEventType, RunReport, RunReportType, RunStatus, RunStatusType, ValidationPlan,
    ValidationPlanType, ValidationReport, ValidationReportType,
};

fn schema<T: JsonSchema>() -> Schema {
    // As a reader takes a document: what may be absent is not required.
    let settings = SchemaSettings::draft07().for_deserialize();
    settings.into_generator().into_root_schema_for::<T>()
}

#[test]
fn the_schemas_of_the_documents_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema");
    let is_written = std::env::var_os("BF_WRITE_SCHEMAS").is_some();
    for (name, schema) in [
        (CapabilityType::TEXT, schema::<Capability>()),
        (DeliveryType::TEXT, schema::<Delivery>()),
        (FailureType::TEXT, schema::<FailureReport>()),
        (LedgerEntryType::TEXT, schema::<LedgerEntry>()),
        (LogSummaryType::TEXT, schema::<LogSummary>()),
        (NotificationType::TEXT, schema::<Notification>()),
        (ProcessEventType::TEXT, schema::<ProcessEvent>()),
        (RunReportType::TEXT, schema::<RunReport>()),
        (RunStatusType::TEXT, schema::<RunStatus>()),
        (ValidationPlanType::TEXT, schema::<ValidationPlan>()),
        (ValidationReportType::TEXT, schema::<ValidationReport>()),
    ] {
        let path = folder.join(format!("{name}.json"));
        let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
        if is_written {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(&path, text).expect("a file");
            continue;
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == text,
            "{} is not what the types say: run the test with BF_WRITE_SCHEMAS=1",
            path.display()
        );
    }
}
