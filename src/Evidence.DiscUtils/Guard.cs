namespace Evidence.DiscUtils;

/// <summary>DiscUtils, asked about bytes that somebody may have made to break it: whatever it throws becomes the library's one kind of error.</summary>
internal static class Guard
{
    /// <summary>Asks it something.</summary>
    /// <param name="code">One of <see cref="ErrorCode"/>.</param>
    /// <param name="what">What cannot be done, and of what, where it fails.</param>
    /// <param name="wayOut">What else to do.</param>
    /// <param name="ask">The question.</param>
    /// <exception cref="EvidenceException">It failed.</exception>
    internal static T Ask<T>(string code, string what, string wayOut, Func<T> ask)
    {
        try
        {
            return ask();
        }
        catch (Exception e) when (e is not (EvidenceException or OperationCanceledException))
        {
            // Of all kinds: an index out of its range and an invalid cast are how it says that a number on the medium makes no sense.
            throw new EvidenceException(code, $"{what}: {Words(e)} {wayOut}", e);
        }
    }

    /// <summary>What an error of DiscUtils says, as a sentence.</summary>
    internal static string Words(Exception e)
    {
        string words = e is IOException or NotSupportedException ? e.Message : $"{e.GetType().Name}, {e.Message}";
        words = string.Join(' ', words.Split((char[])['\r', '\n'], StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.', ' ');
        return $"DiscUtils says: {words}.";
    }
}
