using Evidence.Platform;

namespace Evidence.Sources.Ewf;

/// <summary>A segment file that is read.</summary>
internal sealed class EwfFile : IDisposable
{
    private readonly SourceFile file;

    internal EwfFile(string path)
    {
        Path = path;
        file = SourceFile.Open(path, FileType.Regular, directIO: false);
    }

    internal string Path { get; }

    /// <summary>The name for findings.</summary>
    internal string Name => System.IO.Path.GetFileName(Path);

    internal FileStatus Status => file.Status;

    internal long Length => file.Status.Length;

    /// <summary>Fills a buffer.</summary>
    /// <exception cref="SourceReadException">The file cannot be read there.</exception>
    /// <exception cref="SourceChangedException">The file ends before that.</exception>
    internal void Read(long offset, Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int count = file.Read(offset, buffer);
            if (count == 0)
                throw new SourceChangedException(Path, SourceChange.Shorter, Length, actualLength: null);
            offset += count;
            buffer = buffer[count..];
        }
    }

    internal byte[] Read(long offset, int length)
    {
        var buffer = new byte[length];
        Read(offset, buffer);
        return buffer;
    }

    internal FileStatus? StatusNow() => FileStatus.TryGet(file.Handle);

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
