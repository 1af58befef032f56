using Evidence.Sources;

namespace Evidence.Acquisition;

/// <summary>One of several sources to be imaged.</summary>
/// <param name="Source">The source; it stays open.</param>
/// <param name="Options">How; null for the defaults.</param>
/// <param name="Progress">Hears how far it is; see <see cref="Acquirer.AcquireAsync"/>.</param>
public sealed record AcquisitionRequest(Source Source, AcquisitionOptions? Options = null, IProgress<AcquisitionProgress>? Progress = null);

/// <summary>What became of one of several sources: either a result or a failure.</summary>
public sealed record AcquisitionOutcome
{
    internal AcquisitionOutcome(AcquisitionResult result) => Result = result;

    internal AcquisitionOutcome(Exception failure) => Failure = failure;

    /// <summary>The image; null where it failed.</summary>
    public AcquisitionResult? Result { get; }

    /// <summary>What <see cref="Acquirer.AcquireAsync"/> would have thrown; null where it did not fail.</summary>
    public Exception? Failure { get; }
}
