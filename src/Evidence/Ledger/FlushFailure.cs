namespace Evidence.Ledger;

/// <summary>
/// The flush that failed, if one did. The kernel may then have dropped what it could not write, and a later flush says that all is well: a process
/// that saw one must not sign again what it cannot know to be there.
/// </summary>
internal sealed class FlushFailure
{
    private volatile EvidenceException? failure;

    /// <summary>Does something that writes, unless a flush failed before.</summary>
    /// <exception cref="EvidenceException">One failed, before or now (<see cref="ErrorCode.DurabilityLost"/>).</exception>
    internal T Guard<T>(Func<T> write)
    {
        if (failure is { } before)
            throw new EvidenceException(before.Code, $"This ledger writer stopped after a failed flush. {before.Message}", before);
        try
        {
            return write();
        }
        catch (EvidenceException e)
        {
            Note(e);
            throw;
        }
    }

    /// <summary>Takes note of an error that ends no write, if it is a failed flush.</summary>
    internal void Note(EvidenceException error)
    {
        if (string.Equals(error.Code, ErrorCode.DurabilityLost, StringComparison.Ordinal))
            failure = error;
    }
}
