namespace Evidence.Files;

/// <summary>
/// What finds the files in an image. It need not be trusted: what it says of where a file lies, and of what is in it, is held against the image before anything is returned
/// (<see cref="ImageFiles.Return"/>).
/// </summary>
public interface IFileSystemReader : IDisposable
{
    /// <summary>What people call it, for messages and for the record of a returned file.</summary>
    string Name { get; }

    /// <summary>The files of all file systems that it finds, in an order that is the same each time. Their runs may be left to <see cref="Locate"/>.</summary>
    /// <param name="cancellation">Ends the work.</param>
    /// <exception cref="EvidenceException">There is no file system that it knows, or it failed (<see cref="ErrorCode.FileRefused"/>).</exception>
    IEnumerable<ImageFile> Walk(CancellationToken cancellation);

    /// <summary>Finds where a file lies.</summary>
    /// <param name="file">A file that <see cref="Walk"/> gave.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <returns>The file, with all its runs.</returns>
    /// <exception cref="EvidenceException">It cannot tell (<see cref="ErrorCode.FileRefused"/>).</exception>
    ImageFile Locate(ImageFile file, CancellationToken cancellation);

    /// <summary>Gives what it finds in a file.</summary>
    /// <param name="file">A file that <see cref="Walk"/> gave.</param>
    /// <param name="take">Takes the content, from its first byte on.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <exception cref="EvidenceException">It cannot be read.</exception>
    void Read(ImageFile file, Action<Stream> take, CancellationToken cancellation);
}
