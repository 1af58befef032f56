namespace Evidence.Sources.Ewf;

/// <summary>A table, and the chunks that it names.</summary>
/// <param name="File">The number of the segment file, from 0.</param>
/// <param name="Table">Where the table's header lies in the file; the entries follow it.</param>
/// <param name="Mirror">Where the second table's lies; -1 where there is none.</param>
/// <param name="FirstChunk">The number of its first chunk in the image.</param>
/// <param name="Count">The number of its chunks.</param>
/// <param name="Base">What the entries' offsets count from.</param>
/// <param name="DataEnd">Where the last of its chunks ends, at the latest.</param>
/// <param name="HasFooter">Whether the entries have a checksum behind them.</param>
internal sealed record EwfGroup(int File, long Table, long Mirror, long FirstChunk, int Count, long Base, long DataEnd, bool HasFooter)
{
    /// <summary>Where the entries begin in the file.</summary>
    internal long Entries => Table + EwfFormat.TableHeaderLength;

    /// <summary>Whether the checksum of its header, or of its mirror's, is right; otherwise nothing says which chunks it names.</summary>
    internal bool IsHeaderRight { get; init; }
}
